//! Names, by the word of one name server.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use certwright::Identifier;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::rdata::CAA;
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::acme::problem::{Problem, ProblemKind};
use crate::settings::Names;

/// How many aliases are followed.
const ALIASES: usize = 8;

/// Where an identifier is.
pub(super) async fn address(names: Names, identifier: &Identifier) -> Result<IpAddr, Problem> {
    if let Identifier::Ip(address) = identifier {
        return Ok(*address);
    }
    let server = match names {
        Names::Every(address) => return Ok(address),
        Names::Server(server) => server,
        Names::Own => return Err(nowhere()),
    };
    for kind in [RecordType::A, RecordType::AAAA] {
        let found = records(server, &identifier.to_string(), kind).await?;
        let addresses = found.into_iter().find_map(|data| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        });
        if let Some(address) = addresses {
            return Ok(address);
        }
    }
    Err(dns(format!("{identifier} has no address")))
}

/// The TXT records of a name, aliases followed.
pub(super) async fn texts(names: Names, name: &str) -> Result<Vec<String>, Problem> {
    let server = match names {
        Names::Every(_) => return Ok(Vec::new()),
        Names::Server(server) => server,
        Names::Own => return Err(nowhere()),
    };
    let found = records(server, name, RecordType::TXT).await?;
    let texts = found.into_iter().filter_map(|data| match data {
        RData::TXT(text) => Some(text.txt_data.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()),
        _ => None,
    });
    Ok(texts.collect())
}

/// The CAA records of a name, aliases followed; those above it are not looked at.
pub(super) async fn caa(names: Names, name: &str) -> Result<Vec<CAA>, Problem> {
    let Names::Server(server) = names else { return Ok(Vec::new()) };
    let found = records(server, name, RecordType::CAA).await?;
    let records = found.into_iter().filter_map(|data| match data {
        RData::CAA(record) => Some(record),
        _ => None,
    });
    Ok(records.collect())
}

async fn records(server: SocketAddr, name: &str, kind: RecordType) -> Result<Vec<RData>, Problem> {
    let mut name = Name::from_ascii(name).map_err(|error| dns(format!("{name}: {error}")))?;
    name.set_fqdn(true);
    let mut seen = BTreeSet::new();
    for _ in 0..ALIASES {
        let answer = ask(server, &name, kind).await?;
        match answer.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => {}
            other => return Err(dns(format!("the name server answered {other} for {name}"))),
        }
        let mut current = name.clone();
        // An answer may hold the whole way through the aliases.
        while let Some(RData::CNAME(target)) = answer
            .answers
            .iter()
            .find(|record| record.name == current && record.record_type() == RecordType::CNAME)
            .map(|record| &record.data)
        {
            current = target.0.clone();
            if !seen.insert(current.clone()) {
                return Err(dns(format!("the aliases of {name} lead in a circle")));
            }
        }
        let here = answer.answers.iter().filter(|record| record.name == current && record.record_type() == kind);
        let found: Vec<RData> = here.map(|record| record.data.clone()).collect();
        if !found.is_empty() || current == name {
            return Ok(found);
        }
        name = current;
    }
    Err(dns(format!("more than {ALIASES} aliases, at {name}")))
}

async fn ask(server: SocketAddr, name: &Name, kind: RecordType) -> Result<Message, Problem> {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.clone(), kind));
    let failed = |error: &dyn std::fmt::Display| dns(format!("the name server did not answer for {name}: {error}"));
    let question = message.to_vec().map_err(|error| failed(&error))?;
    let own: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let exchange = async {
        let socket = UdpSocket::bind(own).await?;
        socket.connect(server).await?;
        socket.send(&question).await?;
        let mut buffer = vec![0; 4096];
        let count = socket.recv(&mut buffer).await?;
        buffer.truncate(count);
        Ok::<_, std::io::Error>(buffer)
    };
    let answer = Message::from_vec(&exchange.await.map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
    let answer = if answer.metadata.truncation {
        let whole = over_tcp(server, &question).await.map_err(|error| failed(&error))?;
        Message::from_vec(&whole).map_err(|error| failed(&error))?
    } else {
        answer
    };
    if answer.metadata.id == message.metadata.id { Ok(answer) } else { Err(failed(&"an answer to another question")) }
}

/// RFC 7766 §8: two bytes of length before each message.
async fn over_tcp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; length.into()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// The name server of this world has its address in place of this as soon as it listens.
fn nowhere() -> Problem {
    dns("the test bed has no name server".to_owned())
}

fn dns(detail: String) -> Problem {
    Problem::new(ProblemKind::Dns, detail)
}
