use std::fs;
use std::time::SystemTime;

use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

fn rights(read: &[&str], register: &[&str]) -> Rights {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Rights { read: owned(read), register: owned(register) }
}

#[test]
fn a_token_is_made_once_and_kept_as_a_hash() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("deep/tokens.json");
    let (first, second) = (Token::new().unwrap(), Token::new().unwrap());
    assert!(first != second && first.reveal().len() == 68 && format!("{first:?}") == "Token(..)");
    first.add(&path, "market", rights(&[""], &[])).unwrap();
    second.add(&path, "ratings", rights(&[], &["ratings"])).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(&first.sha256()) && !text.contains(first.reveal()), "{text}");
    let access = Access::load(&path).unwrap();
    assert_eq!(access.rights(Some(first.reveal())), Some(rights(&[""], &[])));
    assert_eq!(access.rights(Some("mst_nonsense")), None);
    assert_eq!(access.rights(None), Some(Rights::default()), "nobody may anything");
    let again = Token::new().unwrap();
    again.add(&path, "market", rights(&["ratings"], &[])).unwrap();
    let access = Access::load(&path).unwrap();
    assert_eq!(access.rights(Some(first.reveal())), None, "a name has one token");
    assert_eq!(access.rights(Some(again.reveal())), Some(rights(&["ratings"], &[])));
}

#[test]
fn a_right_is_the_beginning_of_names() {
    let some = rights(&["bid"], &["ratings"]);
    assert!(some.may_read("bidders") && !some.may_register("bidders") && some.may_register_some());
    assert!(some.may_read("ratings-2") && some.may_register("ratings"));
    assert!(!some.may_read("") && !some.may_read("rating") && Rights::all().may_register(""));
}

#[test]
fn what_is_no_file_of_tokens_says_where() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("tokens.json");
    for (text, reason) in [
        ("{", "EOF while parsing an object at line 1 column 1"),
        (r#"{"tokens":[{"name":"a","sha256":"xy"}]}"#, r#"sha256 of "a" is not 64 hexadecimal digits"#),
        (r#"{"tokens":[{"name":"a"}]}"#, "missing field `sha256`"),
        (r#"{"token":[]}"#, "unknown field `token`"),
    ] {
        fs::write(&path, text).unwrap();
        let said = Access::load(&path).unwrap_err().to_string();
        assert!(said.contains("tokens.json is no file of tokens: ") && said.contains(reason), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_is_read_again_unless_it_is_damaged() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("tokens.json");
    let token = Token::new().unwrap();
    token.add(&path, "market", rights(&[""], &[])).unwrap();
    let access = Access::load(&path).unwrap();
    let later = |seconds| SystemTime::now() + Duration::from_secs(seconds);
    let touch = |at| fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    fs::write(&path, "{").unwrap();
    touch(later(10));
    let _ = timeout(Duration::from_secs(5), access.follow()).await;
    assert!(access.rights(Some(token.reveal())).is_some());
    fs::write(&path, "{}").unwrap();
    touch(later(20));
    let gone = async {
        while access.rights(Some(token.reveal())).is_some() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = access.follow() => unreachable!(),
        () = gone => {}
    }
}
