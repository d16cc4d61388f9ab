use super::*;

/// The key of RFC 7515 §A.2.1.
const RSA: &str = r#"{"kty":"RSA",
"n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
"e":"AQAB",
"d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
"p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
"q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
"dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
"dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
"qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}"#;

/// The key of RFC 7515 §A.3.1.
const P256: &str = r#"{"kty":"EC","crv":"P-256",
"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// Payload and signature of RFC 7515 §A.2.1.
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const SIGNED_RS256: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

fn key(jwk: &str) -> AccountKey {
    AccountKey::new(&PrivateKey::from_jwk(jwk.as_bytes()).unwrap()).unwrap()
}

fn members(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn rs256_gives_the_signature_of_rfc_7515() {
    let input = format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}");
    assert_eq!(base64url(&key(RSA).signature(input.as_bytes()).unwrap()), SIGNED_RS256);
}

#[test]
fn es256_is_the_pair_of_numbers_of_rfc_7518() {
    let point = [&[4][..], &from_base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").unwrap(), &{
        from_base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").unwrap()
    }]
    .concat();
    let public = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
    let input = format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}");
    public.verify(input.as_bytes(), &key(P256).signature(input.as_bytes()).unwrap()).unwrap();
    // The signature of RFC 7515 §A.3.1 shows that the verifier is the one that is meant.
    let example = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    public.verify(input.as_bytes(), &from_base64url(example).unwrap()).unwrap();
}

#[test]
fn thumbprints_are_those_of_the_rfcs() {
    // RFC 8037 §A.1 and §A.3.
    let seed = from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let mut pkcs8 = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    pkcs8.extend(seed);
    let key = AccountKey::new(&PrivateKey::from_der(&pkcs8).unwrap()).unwrap();
    assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // RFC 7638 §3.1: the text that is hashed has these members, in this order, and nothing else.
    let text = self::key(RSA).jwk;
    let n = members(RSA)["n"].as_str().unwrap().to_owned();
    assert_eq!(text, format!(r#"{{"e":"AQAB","kty":"RSA","n":"{n}"}}"#));
    let (x, y) = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    assert_eq!(self::key(P256).jwk, format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
}

#[test]
fn the_header_says_who_for_what_and_when() {
    let key = key(P256);
    let url = "https://ca.example/order";
    for (by, member, other) in [(By::Key, "jwk", "kid"), (By::Account("https://ca.example/acct/1"), "kid", "jwk")] {
        let body = members(&key.sign(by, Some("n0nce"), url, b"{}").unwrap());
        assert_eq!(body["payload"], "e30");
        let header = from_base64url(body["protected"].as_str().unwrap()).unwrap();
        let header = members(std::str::from_utf8(&header).unwrap());
        assert_eq!((&header["alg"], &header["nonce"], &header["url"]), (&"ES256".into(), &"n0nce".into(), &url.into()));
        assert!(header.contains_key(member) && !header.contains_key(other));
    }
    // POST-as-GET: no payload at all (RFC 8555 §6.3). Inside a key-change there is no nonce (§7.3.5).
    let body = members(&key.sign(By::Key, None, url, b"").unwrap());
    assert_eq!(body["payload"], "");
    let header = from_base64url(body["protected"].as_str().unwrap()).unwrap();
    assert!(!members(std::str::from_utf8(&header).unwrap()).contains_key("nonce"));
}

#[test]
fn every_kind_of_account_key_signs_by_its_own_algorithm() {
    for (algorithm, name) in
        [(KeyAlgorithm::EcdsaP256, "ES256"), (KeyAlgorithm::EcdsaP384, "ES384"), (KeyAlgorithm::Ed25519, "EdDSA")]
    {
        let key = AccountKey::new(&PrivateKey::generate(algorithm).unwrap()).unwrap();
        assert_eq!((key.algorithm(), key.is_p256()), (name, name == "ES256"));
        assert!(!key.signature(b"x").unwrap().is_empty());
        assert!(!format!("{key:?}").contains(&base64url(key.pkcs8().expose())));
    }
    assert_eq!(key(RSA).algorithm(), "RS256");
}

#[test]
fn a_binding_is_made_over_the_public_key_with_the_key_that_was_given_out() {
    let mac_key = SecretBytes::from(vec![7; 32]);
    let value = binding("kid-1", &mac_key, "https://ca.example/new-acct", r#"{"kty":"EC"}"#).unwrap();
    let member = |name: &str| value[name].as_str().unwrap().to_owned();
    let input = format!("{}.{}", member("protected"), member("payload"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    hmac::verify(&key, input.as_bytes(), &from_base64url(&member("signature")).unwrap()).unwrap();
    assert_eq!(from_base64url(&member("payload")).unwrap(), br#"{"kty":"EC"}"#);
    let header = members(std::str::from_utf8(&from_base64url(&member("protected")).unwrap()).unwrap());
    assert_eq!((&header["alg"], &header["kid"], header.get("nonce")), (&"HS256".into(), &"kid-1".into(), None));
}

#[test]
fn damaged_json_keys_are_errors() {
    for (whole, member) in [(RSA, "q"), (RSA, "n"), (P256, "d"), (P256, "x")] {
        let mut key = members(whole);
        key.remove(member);
        assert!(PrivateKey::from_jwk(Value::Object(key.clone()).to_string().as_bytes()).is_err(), "{member}");
        key.insert(member.to_owned(), "AQAB".into());
        assert!(PrivateKey::from_jwk(Value::Object(key).to_string().as_bytes()).is_err(), "{member}");
    }
    for text in ["", "[]", "{}", r#"{"kty":"oct","k":"AA"}"#, r#"{"kty":"EC","crv":"P-521"}"#] {
        assert!(PrivateKey::from_jwk(text.as_bytes()).is_err(), "{text}");
    }
}
