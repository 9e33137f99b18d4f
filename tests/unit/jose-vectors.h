/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The examples of RFC 7515, 7516, 7520 and 8037 that have an algorithm of ours, and some that must not pass. */

#define RFC7515_A1_KEY                                                                                        \
        "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwj" \
        "AzZr1Z9CAow\"}"
#define RFC7515_PAYLOAD                                                                                       \
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC7515_PLAIN "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
#define RFC7515_A1                                                                                            \
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC7515_PAYLOAD                                           \
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

#define RFC7515_A2_N                                                                                          \
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR" \
        "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB" \
        "dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia" \
        "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RFC7515_A2_D                                                                                          \
        "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46su" \
        "i395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4" \
        "qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB" \
        "4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ"
#define RFC7515_A2_FACTORS                                                                                    \
        "\"p\":\"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5P" \
        "JdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc\","                   \
        "\"q\":\"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZ" \
        "D_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc\","                   \
        "\"dp\":\"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1" \
        "R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0\","                  \
        "\"dq\":\"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0aj" \
        "aHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU\","                  \
        "\"qi\":\"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7" \
        "YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U\""
#define RFC7515_A2_KEY                                                                                        \
        "{\"kty\":\"RSA\",\"n\":\"" RFC7515_A2_N "\",\"e\":\"AQAB\",\"d\":\"" RFC7515_A2_D                    \
        "\"," RFC7515_A2_FACTORS "}"
#define RFC7515_A2                                                                                            \
        "eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD                                                               \
        ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbd" \
        "s9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRm" \
        "B_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq" \
        "Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

#define RFC7515_A3_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define RFC7515_A3_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define RFC7515_A3_D "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define RFC7515_A3_KEY                                                                                        \
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y                  \
        "\",\"d\":\"" RFC7515_A3_D "\"}"
#define RFC7515_A3                                                                                            \
        "eyJhbGciOiJFUzI1NiJ9." RFC7515_PAYLOAD                                                               \
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

#define RFC7515_A4_KEY                                                                                        \
        "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_Nj" \
        "FZ6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79" \
        "ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}"
#define RFC7515_A4                                                                                            \
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT" \
        "2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOX" \
        "olLzeO_Jn"
#define RFC7515_A5 "eyJhbGciOiJub25lIn0." RFC7515_PAYLOAD "."

/* 4.1 names a key by an id with an `@', which none of ours has: here the key goes without one. */
#define RFC7520_4_1_KEY                                                                                       \
        "{\"kty\":\"RSA\",\"use\":\"sig\",\"e\":\"AQAB\",\"n\":\"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPE" \
        "HLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5yd" \
        "QLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrt" \
        "IQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw\"}"
#define RFC7520_PAYLOAD                                                                                       \
        "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUg" \
        "cm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0" \
        "IGJlIHN3ZXB0IG9mZiB0by4"
#define RFC7520_4_1                                                                                           \
        "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." RFC7520_PAYLOAD           \
        "." RFC7520_4_1_SIGNATURE
#define RFC7520_4_1_SIGNATURE                                                                                 \
        "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi8" \
        "4wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocS" \
        "adnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJu" \
        "shZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
#define RFC7520_4_4_KEY                                                                                       \
        "{\"kty\":\"oct\",\"kid\":\"018c0ae5-4d9b-471b-bfd6-eef314bc7037\",\"use\":\"sig\",\"alg\":\"HS256\","  \
        "\"k\":\"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg\"}"
#define RFC7520_4_4                                                                                           \
        "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9." RFC7520_PAYLOAD   \
        ".s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"

#define RFC8037_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define RFC8037_D "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define RFC8037_KEY                                                                                           \
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"" RFC8037_D "\",\"x\":\"" RFC8037_X "\"}"
#define RFC8037_THUMBPRINT "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define RFC8037_A4                                                                                            \
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR" \
        "6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
/*
 * "a.b.c", encrypted by jwcrypto to the keys of RFC 7515, A.2 and A.3, and to one on X25519: as we take it,
 * and then with algorithms that we do not, though the key would open it.
 */
#define JWE_X25519_KEY                                                                                      \
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"gcBK3gOsRRFTjIBXzBDXkny5gggsfmB9OeJkWs5sins\","              \
        "\"d\":\"wEju98xHUljr_tl2Gv1AGHrURy8WwLriVqOU3sY77Xg\"}"
#define JWE_RSA                                                                                               \
        "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIiwiY3R5IjoiSldUIn0.L97PJcUaQSDy7-SlMUImbriDP2QMgp"  \
        "YwDUIase5Gdoy4zYNWyWrmW_J_wWjvTCwB7S2RqqUASdFFhq1C-MhGEXdyF_MAje9ezYmlnOmDzXTrRrDbXJu08-sYLKpaujh5"  \
        "4KZB6hOdonsTS5xHqrQn5HoVPprYyilTfDbs7tJeJBFxDrKtzOtFNz4fp9xbVnJzQ1iueXlJ5B-i_WxdoNSmYs56Ss16h5sd7R"  \
        "y7t2Tt6_FuXRjH_XajmmNEh0JL4YLrqdigISbUldyNNXiiw0QhEbdvsx8LHLJoWaAgCP3eudJ8L-ihxrYXIPLvWJmDLBQ3bwsn"  \
        "48d-89foGklLjd-rEg.3GwxO6u-XYfT1nFs.vxxFgaw.YDbSvKQqvEzpbfoOICibLA"
#define JWE_P256                                                                                              \
        "eyJhbGciOiJFQ0RILUVTIiwiYXB1IjoiUVd4cFkyVSIsImFwdiI6IlFtOWkiLCJlbmMiOiJBMjU2R0NNIiwiZXBrIjp7ImNydi"  \
        "I6IlAtMjU2Iiwia3R5IjoiRUMiLCJ4IjoiQm1NSXNXS1VjVkxKSnZmWldaMWdBSndsZVI4V1lXeWtxb1lfbmxtUUs4TSIsInki"  \
        "OiJ1VTJZaXdjUDZnZ0IyTkFyVmxCeUJyRkhEWWk0bm84b0ZXLWNIWjUyaWFRIn19..f3NNjEJachDYWmMX.Y4nCrik.bmgSdQU"  \
        "3CL9Npn0NDcRHvw"
#define JWE_X25519                                                                                            \
        "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImVwayI6eyJjcnYiOiJYMjU1MTkiLCJrdHkiOiJPS1AiLCJ4IjoiZk"  \
        "1Hei12Z0ZqMjdCeHBNVExvVFpCdlk5MFNkblpPTHl2QXRPeWF5UmgzSSJ9fQ..Y5DGJPUN81TUwG6N.V4GhubQ.TZFZtL79ha6"  \
        "G4fHUNiHvOQ"
#define JWE_RSA_OAEP_SHA1                                                                                     \
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a3MttMydtdDaq0zhTcvY8nMksmtr_HmKloEHKoJt8a5UNBJ0_hb"  \
        "sBJ9ehsus1HauA5i7VpllDOo4766ZP1CVrqFRSZL1GG0-iJLftS--wxMRjzZHMuleJ6goLtMnetVdouZmFcnJrDhsqbjyezQmC"  \
        "33tc_eg2q_RXPG8fvUfh7WJqAqsDwTcptVqL16h_FLNHEVf2kVQ4HPbhUxtct0KEKIEF4QcDBmnyO6Bv-eKc99FmjSACZP8XCH"  \
        "B-uM9ilsaJbGcjIyMNzdXSqeELvr6-RQpklxwWbMs2ScoRPjASXx3Fdfg7-0FtEcDNeiPf3Xg9DHVGuc8t4HJwQ6gbazGmw.nH"  \
        "nLy_CHyz5vRxoQ.SwBWzP4.ceRJIXhKw37XoxdUEvkqSg"
#define JWE_RSA_A128GCM                                                                                       \
        "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMTI4R0NNIn0.hUW28UEoQmd6Kso7APq_7y47vA7zvXHoNw0y4SJWJeWAhh"  \
        "C-eVolzurOswDl8_VIT9CBXanE0Zj2kA5ymsjLE_OZuvphNAr3BBMReWJllfhPdB8_dHvoadd7vH88ICdUx_Xo4h0eGcU-EWye"  \
        "KAxw55VjA9qnSvS1SIG_2cMMVGKXlv03awwPya66wxlwT5h4nYAbz4meU0UdfJyL_8yQJgZYO9icbupD_CUAhIs0X8bDoHJdI0"  \
        "lIyDBa5v7Ht62EfQguAHX_wvJZlY44SNWsrSLvK-ledyj61bWbxqzQgnSrFJx1cLT25gUFJoTBdBC5GClSfkWziIHMU9PEdwq8"  \
        "WA.-n8hEW_dP2QDDkz_.0nnnijM.3e7f3ToCCxHy7-hnEPzV7Q"
#define JWE_P256_A128GCM                                                                                      \
        "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOEdDTSIsImVwayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6InJrYX"  \
        "FINm43ZlpGcE52LS14SnpHVVM0cXR0b05rNDR0TTJwUktpN3AtTmciLCJ5IjoiWS1sRGF5bjNoc2p4aXpmMUQ0X2lqYTA4MDlC"  \
        "cldrS1dYZUdHUTEtYnp6RSJ9fQ..TzS67-yVUvm7DwZo.rwTnxTE.KCCryGNkNUop5cc4MStu1A"
#define JWE_P256_A256KW                                                                                       \
        "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJlcGsiOnsiY3J2IjoiUC0yNTYiLCJrdHkiOiJFQyIsIn"  \
        "giOiJPU25Bd2ZWZVAyX0JheWg5RkNOY3F5YzFpYzNWaGhiUnBMX1VfdXJyZTk0IiwieSI6ImJ1OUkydS0xUHNzME5mQl93ck4t"  \
        "bEpfR29QMTIzR2stU0ZwQ0VzZ25Dam8ifX0.Vg-jdjO6Bi-qqm_oZwHtitUlnAinStqFRKu0yKKCcBdBUdCG8QDqZQ.GCFgYlz"  \
        "6-zh1f9p2.V6YXmGk.VNF9QKYGhQkgNlIRfyvDlA"

/* RFC 7516, A.1: RSA-OAEP with SHA-1.  None of its examples has an algorithm of ours. */
#define RFC7516_A1                                                                                            \
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgc"  \
        "kCL9kiMT03JGeipsEdY3mx_etLbbWSrFr05kLzcSr4qKAq7YN7e9jwQRb23nfa6c9d-StnImGyFDbSv04uVuxIp5Zms1gNxKKK"  \
        "2Da14B8S4rzVRltdYwam_lDp5XnZAYpQdb76FdIKLaVmqgfwX7XWRxv2322i-vDxRfqNzo_tETKzpVLzfiwQyeyPGLBIO56YJ7"  \
        "eObdv0je81860ppamavo35UgoRdbYaBcoh9QcfylQr66oc6vFWXRcZ_ZT2LawVCWTIy3brGPi6UklfCpIMfIjf7iGdXKHzg.48"  \
        "V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_"  \
        "A.XFBoMYUZodetZdvTiFvSkQ"
