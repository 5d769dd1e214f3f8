//! Names to addresses: /etc/hosts, then the name servers of /etc/resolv.conf. Our own, because the C library's look-up
//! needs shared libraries that a static binary in an empty image does not find. Keeps nothing.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    time::Duration,
};

/// For an answer of one name server.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Types of records (RFC 1035, RFC 3596).
const A: u16 = 1;
const AAAA: u16 = 28;
/// The header of a message.
const HEADER: usize = 12;
/// The number of our questions: each has a socket of its own, that only its answer comes to.
const ID: [u8; 2] = *b"wl";

/// The addresses of a name, or of an address itself.
pub(super) fn resolve(name: &str) -> Result<Vec<IpAddr>, String> {
    if let Ok(address) = name.trim_matches(['[', ']']).parse() {
        return Ok(vec![address]);
    }
    let hosts = in_hosts(&fs::read_to_string("/etc/hosts").unwrap_or_default(), name);
    if !hosts.is_empty() {
        return Ok(hosts);
    }
    let (servers, searched) = servers(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    let full = |suffix: &String| format!("{name}.{suffix}");
    for name in std::iter::once(name.to_owned()).chain(searched.iter().map(full)) {
        let found: Vec<_> = [A, AAAA].into_iter().flat_map(|kind| ask_all(&servers, &name, kind)).collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(format!("the name {name} is not known"))
}

fn in_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
    let address = |mut words: std::str::SplitWhitespace<'_>| {
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    };
    lines.filter_map(address).collect()
}

/// Name servers, and what is put behind names.
fn servers(text: &str) -> (Vec<IpAddr>, Vec<String>) {
    let (mut servers, mut searched) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => servers.extend(words.next().and_then(|word| word.parse::<IpAddr>().ok())),
            Some("search" | "domain") => searched = words.map(str::to_owned).collect(),
            _ => {}
        }
    }
    (servers, searched)
}

/// The first server that answers counts, as it is with everybody.
fn ask_all(servers: &[IpAddr], name: &str, kind: u16) -> Vec<IpAddr> {
    servers.iter().find_map(|server| ask(*server, name, kind).ok()).unwrap_or_default()
}

fn ask(server: IpAddr, name: &str, kind: u16) -> io::Result<Vec<IpAddr>> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect((server, 53))?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.send(&question(name, kind))?;
    let mut answer = [0; 4096];
    let length = socket.recv(&mut answer)?;
    Ok(addresses(&answer[..length]).unwrap_or_default())
}

/// One question, to be answered recursively.
fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut message = vec![ID[0], ID[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.').filter(|label| !label.is_empty()) {
        // Longer ones are no names; what is left of one is not known.
        let label = &label.as_bytes()[..label.len().min(63)];
        message.push(label.len() as u8);
        message.extend_from_slice(label);
    }
    message.push(0);
    message.extend([kind, 1].map(u16::to_be_bytes).concat());
    message
}

/// The addresses in an answer; nothing where it cannot be read.
fn addresses(message: &[u8]) -> Option<Vec<IpAddr>> {
    let half = |at: usize| Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?));
    if message.get(..2)? != ID {
        return None;
    }
    let mut at = skip_name(message, HEADER)? + 4;
    let mut found = Vec::new();
    for _ in 0..half(6)? {
        at = skip_name(message, at)?;
        let (kind, length) = (half(at)?, usize::from(half(at + 8)?));
        let data = message.get(at + 10..at + 10 + length)?;
        match kind {
            A => found.push(IpAddr::from(<[u8; 4]>::try_from(data).ok()?)),
            AAAA => found.push(IpAddr::from(<[u8; 16]>::try_from(data).ok()?)),
            _ => {}
        }
        at += 10 + length;
    }
    Some(found)
}

/// Where a name ends: with a zero, or with a reference to an earlier one.
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_the_c_library_does() {
        let hosts = "127.0.0.1 localhost\n10.0.0.2\tweb web.lan # the web\n#10.0.0.3 web\nfd00::2 WEB\n";
        assert_eq!(in_hosts(hosts, "web"), ["10.0.0.2".parse::<IpAddr>().unwrap(), "fd00::2".parse().unwrap()]);
        assert!(in_hosts(hosts, "we").is_empty());
        let (servers, searched) = servers("# x\nnameserver 127.0.0.11\nsearch a.svc b.svc\nnameserver bad\n");
        assert_eq!((servers.len(), searched.len()), (1, 2));
    }

    #[test]
    fn an_answer_with_references_and_an_alias_is_understood_and_half_of_one_is_not() {
        let mut answer = question("web.lan", A);
        answer[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 2]);
        // An alias, which is passed over, and its address.
        answer.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12]);
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 2]);
        assert_eq!(addresses(&answer), Some(vec!["10.0.0.2".parse().unwrap()]));
        (0..answer.len()).for_each(|length| assert_eq!(addresses(&answer[..length]), None, "{length}"));
    }

    #[test]
    fn an_address_is_its_own() {
        assert_eq!(resolve("[fd00::1]").unwrap(), ["fd00::1".parse::<IpAddr>().unwrap()]);
    }
}
