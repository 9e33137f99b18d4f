// SPDX-License-Identifier: Apache-2.0
//
// Reads what generate writes and gives every request to Node's own HTTP parser
// as well.  Fails if the front end accepted a request that Node refuses, or
// understood one differently; prints what it refuses that Node accepts, by
// reason.
//
//   generate SEED COUNT | node compare.js SEED

'use strict';

const { HTTPParser, allMethods, methods } = process.binding('http_parser');
const methodNames = allMethods || methods; // the one list that Node 18 has is the whole one
const ACCEPTED_AT_LEAST = 0.30;
const LISTED_AT_MOST = 20;

const parser = new HTTPParser();
let seen;   // what Node makes of the current case: one entry per message

function collect(headers) {
  for (let i = 0; i < headers.length; i += 2) seen.pending.push([headers[i], headers[i + 1]]);
}

parser[HTTPParser.kOnHeaders | 0] = (headers, url) => { collect(headers); seen.url += url; };
parser[HTTPParser.kOnHeadersComplete | 0] = (major, minor, headers, method, url, s, m, upgrade, keepAlive) => {
  collect(headers || []);
  seen.messages.push({
    major, minor, method: methodNames[method], target: url || seen.url, keepAlive,
    headers: seen.pending, bodyLength: 0, complete: false,
  });
  seen.pending = [];
  seen.url = '';
};
parser[HTTPParser.kOnBody | 0] = (bytes) => { seen.messages.at(-1).bodyLength += bytes.length; };
parser[HTTPParser.kOnMessageComplete | 0] = () => { seen.messages.at(-1).complete = true; };

// Node's parser stops behind a request that asks for another protocol.  A server
// that does not speak it goes on in HTTP (RFC 9110 7.8), so the rest is parsed anew.
function askNode(raw) {
  seen = { messages: [], pending: [], url: '', refusal: '' };
  for (let at = 0; at < raw.length;) {
    parser.initialize(HTTPParser.REQUEST, {});
    const result = parser.execute(raw.subarray(at));
    if (result instanceof Error) seen.refusal = result.code;
    if (typeof result !== 'number' || result === 0) break;
    at += result;
  }
  return seen;
}

class Record {
  constructor(bytes) { this.bytes = bytes; this.at = 0; }
  u8() { return this.bytes[this.at++]; }
  u32() { this.at += 4; return this.bytes.readUInt32LE(this.at - 4); }
  raw() { const n = this.u32(); this.at += n; return this.bytes.subarray(this.at - n, this.at); }
  text() { return this.raw().latin1Slice(); }
}

function readVerdict(record) {
  const messages = [];
  for (let n = record.u8(); n > 0; n--) {
    const message = { minor: record.u8(), keepAlive: !!record.u8(), bodyLength: record.u32(),
                      method: record.text(), target: record.text(), headers: [] };
    for (let h = record.u8(); h > 0; h--) message.headers.push([record.text(), record.text()]);
    messages.push(message);
  }
  return { messages, refusal: record.text() };
}

// A tab is white space like a blank (RFC 9110 5.6.3), but Node takes one before a comma for part of the word.
function nodeMisreadsConnection(message) {
  return message.headers.some(([name, value]) => name.toLowerCase() === 'connection' && /\t[ \t]*,/.test(value));
}

// The name of the first thing that was understood differently, or null.
function difference(ours, node) {
  const parts = ['minor', 'method', 'target', 'bodyLength'];
  if (!nodeMisreadsConnection(ours)) parts.push('keepAlive');
  for (const part of parts)
    if (ours[part] !== node[part]) return `${part}: ours ${JSON.stringify(ours[part])}, Node's ${JSON.stringify(node[part])}`;
  if (ours.headers.length !== node.headers.length)
    return `headers: ours ${ours.headers.length}, Node's ${node.headers.length}`;
  for (const [i, [name, value]] of ours.headers.entries())
    if (name !== node.headers[i][0] || value !== node.headers[i][1])
      return `header ${i}: ours ${JSON.stringify([name, value])}, Node's ${JSON.stringify(node.headers[i])}`;
  return null;
}

const total = { cases: 0, messages: 0, ours: 0, node: 0, wrong: 0 };
const stricter = new Map();   // refusal → { count, example }
const wrong = [];

function complain(index, what) {
  total.wrong++;
  if (wrong.length < LISTED_AT_MOST) wrong.push(`case ${index}: ${what}`);
}

function judge(record) {
  const index = record.u32();
  const node = askNode(record.raw());
  const ours = readVerdict(record);
  const complete = node.messages.filter((m) => m.complete);
  const nodeAccepts = !node.refusal && complete.length > 0;

  total.cases++;
  total.messages += ours.messages.length;
  if (nodeAccepts) total.node++;
  if (!ours.refusal && ours.messages.length > 0) total.ours++;

  for (const [i, message] of ours.messages.entries()) {
    if (i >= complete.length) {
      complain(index, `accepted, but Node says ${node.refusal || 'incomplete'}`);
      return;
    }
    const what = difference(message, complete[i]);
    if (what) { complain(index, what); return; }
  }
  if (nodeAccepts && ours.refusal) {
    const entry = stricter.get(ours.refusal) || { count: 0, example: index };
    entry.count++;
    stricter.set(ours.refusal, entry);
  }
}

function report() {
  const seed = process.argv[2];
  const share = total.node / total.cases;
  const percent = (n) => `${(100 * n / total.cases).toFixed(2)} %`;
  console.log(`seed ${seed}, ${total.cases} cases`);
  console.log(`Node accepts         ${total.node} (${percent(total.node)})`);
  console.log(`the front end does   ${total.ours} (${percent(total.ours)}), ${total.messages} requests in them and before refusals`);
  console.log(`accepted wrongly     ${total.wrong}`);
  console.log('refused though Node accepts, by reason:');
  for (const [name, { count, example }] of [...stricter].sort((a, b) => b[1].count - a[1].count))
    console.log(`  ${name.padEnd(20)} ${String(count).padStart(8)}   e.g. case ${example}`);
  for (const line of wrong) console.log(line);
  if (total.wrong > 0) console.log(`replay one: tests/front/differential/run --only INDEX --seed ${seed}`);
  if (share < ACCEPTED_AT_LEAST) console.log(`Node accepts too few of these requests to prove anything`);
  process.exitCode = total.cases === 0 || total.wrong > 0 || (share < ACCEPTED_AT_LEAST && total.cases > 1) ? 1 : 0;
}

let rest = Buffer.alloc(0);
process.stdin.on('data', (chunk) => {
  rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
  let at = 0;
  while (rest.length - at >= 4) {
    const length = rest.readUInt32LE(at);
    if (rest.length - at - 4 < length) break;
    judge(new Record(rest.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  rest = rest.subarray(at);
});
process.stdin.on('end', report);
