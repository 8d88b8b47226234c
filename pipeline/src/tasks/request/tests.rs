use super::*;

fn run(body: &str) -> Result<String, String> {
    Request::read(body.as_bytes()).map_err(|bad| bad.to_string())?.run()
}

#[test]
fn tasks_have_these_results() {
    for (body, result) in [
        (r#"{"a1":5,"a2":10}"#, "15"),
        (r#"{"s1":4,"s2":7}"#, "-3"),
        (r#"{"s2":7,"s1":4}"#, "-3"),
        (r#"{"m1":4,"m2":7}"#, "28"),
        (r#"{"d1":4,"d2":7}"#, "0.5714285714285714"),
        (r#"{"a1":"a","a2":"b"}"#, "ab"),
        (r#"{"a2":"b","a1":"a"}"#, "ab"),
        (r#"{"s1":"a","s2":"b"}"#, "ab"),
        (r#"{"d1":"5","d2":"0"}"#, "50"),
        (r#"{"m1":1000,"m2":1000}"#, "1000000"),
        (r#"{"d1":5,"d2":2}"#, "2.5"),
        (r#"{"d1":6,"d2":3}"#, "2"),
        (r#"{"d1":-7,"d2":2}"#, "-3.5"),
        (r#"{"d1":0,"d2":-5}"#, "0"),
        (r#"{"d1":1,"d2":3}"#, "0.3333333333333333"),
        (r#"{"d1":1,"d2":10000000}"#, "0.0000001"),
        (r#"{"a1":0.1,"a2":0.2}"#, "0.30000000000000004"),
        (r#"{"a1":0.5,"a2":0.5}"#, "1"),
        (r#"{"s1":0.5,"s2":0.5}"#, "0"),
        (r#"{"a1":-5,"a2":5}"#, "0"),
        (r#"{"m1":-1,"m2":0}"#, "0"),
        (r#"{"a1":9007199254740993,"a2":1}"#, "9007199254740994"),
        (r#"{"m1":9007199254740993,"m2":9007199254740993}"#, "81129638414606699710187514626049"),
        (r#"{"m1":12345678901234567890,"m2":98765432109876543210}"#, "1219326311370217952237463801111263526900"),
        (r#"{"d1":1219326311370217952237463801111263526900,"d2":98765432109876543210}"#, "12345678901234567890"),
        (r#"{"m1":1e20,"m2":1e10}"#, "1000000000000000000000000000000"),
        (r#"{"m1":1e200,"m2":1e-200}"#, "1"),
        (r#"{"d1":1e200,"d2":1e198}"#, "100"),
        (r#"{"s1":1e-400,"s2":1}"#, "-1"),
        (r#"{"add":5,"also":10}"#, "15"),
        (r#" { "a1" : 5 , "a2" : 1e1 } "#, "15"),
        (r#"{"a1":"","a2":""}"#, ""),
        (r#"{"a1":"ü\n","a2":"\"\u00fc"}"#, "ü\n\"ü"),
    ] {
        assert_eq!(run(body).as_deref(), Ok(result), "{body}");
    }
}

#[test]
fn what_is_no_task_is_refused_with_the_reason() {
    let long = format!(r#"{{"a1":{},"a2":1}}"#, "7".repeat(1001));
    let named = format!(r#"{{"{}":1,"a2":1}}"#, "x".repeat(1000));
    for (body, why) in [
        (r#"{"a1":5}"#, "exactly two properties, not 1"),
        (r#"{"a1":5,"a2":10,"a3":15}"#, "exactly two properties, not 3"),
        ("{}", "exactly two properties, not 0"),
        (r#"{"a1":5,"a1":10}"#, r#""a1" is there twice"#),
        (r#"{"a1":5,"a2":"b"}"#, "both are one or the other"),
        (r#"{"a1":"a","a2":5}"#, "both are one or the other"),
        (r#"{"x1":5,"x2":10}"#, r#""x1" begins with the letter of no kind; there are: a add, s subtract"#),
        (r#"{"A1":5,"A2":10}"#, "the letter of no kind"),
        (r#"{"":5,"a":10}"#, "the letter of no kind"),
        (r#"{"ä1":"a","ä2":"b"}"#, "the letter of no kind"),
        (r#"{"a1":5,"s2":10}"#, r#""a1" and "s2" are of different kinds"#),
        (r#"{"d1":1,"d2":0}"#, "division by zero"),
        (r#"{"d1":0,"d2":-0.0}"#, "division by zero"),
        (r#"{"a1":true,"a2":5}"#, r#""a1" is true, neither a number nor a text"#),
        (r#"{"a1":5,"a2":null}"#, r#""a2" is null"#),
        (r#"{"a1":[5],"a2":5}"#, r#""a1" is a list"#),
        (r#"{"a1":{"a1":5,"a2":10},"a2":5}"#, r#""a1" is an object"#),
        (r#"{"d1":1e308,"d2":0.01}"#, "too large"),
        (r#"{"d1":1e308,"d2":1e-400}"#, "division by zero"),
        (r#"{"m1":1e400,"m2":1}"#, "too large"),
        (r#"{"a1":"\ud800","a2":"b"}"#, r#""a1": "#),
        ("[5,10]", "a task is an object"),
        ("5", "a task is an object"),
        ("null", "a task is an object"),
        (r#""a""#, "a task is an object"),
        ("", "not JSON"),
        ("a1=5&a2=10", "not JSON"),
        (r#"{"a1":5,"a2":10"#, "not JSON"),
        (r#"{"a1":5,"a2":10}}"#, "not JSON"),
        (r#"{"a1":05,"a2":10}"#, "not JSON"),
        (r#"{"a1":NaN,"a2":10}"#, "not JSON"),
        (&long, "1000 characters at most"),
        (&named, "the letter of no kind"),
    ] {
        let said = run(body).unwrap_err();
        assert!(said.contains(why), "{body}: {said:?} does not say {why:?}");
        assert!(said.len() < 200, "{body}: {said:?} is too long");
    }
    assert!(Request::read(b"{\"a1\":\"\xff\",\"a2\":\"b\"}").is_err());
}

#[test]
fn identical_tasks_have_one_canonical_form() {
    let canonical = |body: &str| Request::read(body.as_bytes()).unwrap().canonical().get().to_owned();
    for (body, expected) in [
        (r#"{"a1":5,"a2":10}"#, r#"{"a1":5,"a2":10}"#),
        (r#" {"a2": 1e1, "a1": 5.0}"#, r#"{"a1":5,"a2":10}"#),
        (r#"{"a1":"\u0062","a2":"\"\n"}"#, r#"{"a1":"b","a2":"\"\n"}"#),
        (r#"{"a1":9007199254740993,"a2":-0}"#, r#"{"a1":9007199254740993,"a2":0}"#),
        (r#"{"d\"1":1.50,"d\"2":1e-7}"#, r#"{"d\"1":1.5,"d\"2":0.0000001}"#),
    ] {
        assert_eq!(canonical(body), expected, "{body}");
        assert_eq!(canonical(expected), expected);
    }
}
