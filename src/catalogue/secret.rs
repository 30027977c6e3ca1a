//! Owns: the names of fields that never leave PHP. The stub refuses them whatever the manifest asks for (`DenyList.php`, which a test
//! compares); here they are refused where somebody would ask for them.

/// Parts of a name, in lower case and without anything but letters.
const PARTS: [&str; 24] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "accesshash",
    "apikey",
    "authdata",
    "authmodule",
    "twofactor",
    "secondfactor",
    "cardnum",
    "ccnumber",
    "cvv",
    "cccvv",
    "expdate",
    "bankacct",
    "bankcode",
    "securityq",
    "serverusername",
    "serverip",
    "eppcode",
    "transfersecret",
    "configoption",
];

/// Whether the stub would never send what `path` names.
#[must_use]
pub fn refuses(path: &str) -> bool {
    path.split('.').any(|segment| {
        let letters: String =
            segment.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
        PARTS.iter().any(|part| letters.contains(part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stub_refuses_the_same() {
        let php = include_str!("../../php-hooks/hookbridge/Envelope.php");
        let list = php.split("PARTS = [").nth(1).and_then(|rest| rest.split("];").next()).expect("the stub's list");
        let theirs: Vec<&str> = list.split('\'').skip(1).step_by(2).collect();
        assert_eq!(theirs, PARTS);
        assert!(refuses("params.Server_Password") && refuses("cardnum") && !refuses("params.serviceid"));
    }
}
