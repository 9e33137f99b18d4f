/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What comes in by a push git keeps aside, in a directory of its own, until it is
 * accepted.  A push that is killed leaves it there, and nobody would ever take it away.
 */

/*
 * A push into the repository begins: what others have left is removed, unless one of
 * them is still under way.  From here on this one is, until the last program that
 * descends from us has ended.  0; or -errno, and then it must not begin: another one
 * would take what it keeps aside for left.
 */
int quarantine_enter(const char *dir);
