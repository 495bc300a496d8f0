//! A small HTTP server on the standard library alone: `/` greets, `/health` says it is well.
//! `backend --health` asks a running server on this machine, for the image's HEALTHCHECK.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

const PORT: u16 = 2000;
const PATIENCE: Duration = Duration::from_secs(2);
/// No request line or header may be longer, nor a request have more of them.
const LONGEST_REQUEST: u64 = 8 * 1024;

fn main() -> ExitCode {
    let result = match std::env::args().nth(1).as_deref() {
        None => serve(),
        Some("--health") => probe(),
        Some(other) => Err(io::Error::other(format!("unknown argument {other}; --health is known"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("backend: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)))?;
    println!("backend listens on port {PORT}");
    for stream in listener.incoming() {
        match stream {
            Ok(stream) => {
                thread::spawn(move || {
                    if let Err(error) = answer(stream) {
                        eprintln!("backend: a request failed: {error}");
                    }
                });
            }
            Err(error) => eprintln!("backend: a connection failed: {error}"),
        }
    }
    Ok(())
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = request_line(&stream)?;
    let (status, body) = route(&request);
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Reads the whole head, so that closing the connection does not reset it, and returns its first line.
fn request_line(stream: &TcpStream) -> io::Result<String> {
    let mut lines = BufReader::new(stream.take(LONGEST_REQUEST)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(first)
}

fn route(request: &str) -> (&'static str, &'static str) {
    let mut words = request.split_ascii_whitespace();
    match (words.next(), words.next()) {
        (Some("GET"), Some("/health")) => ("200 OK", r#"{"status":"ok"}"#),
        (Some("GET"), Some("/")) => ("200 OK", r#"{"greeting":"hello"}"#),
        (Some("GET"), Some(_)) => ("404 Not Found", r#"{"error":"not found"}"#),
        (Some(_), Some(_)) => ("405 Method Not Allowed", r#"{"error":"only GET"}"#),
        _ => ("400 Bad Request", r#"{"error":"no request"}"#),
    }
}

fn probe() -> io::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut head = String::new();
    BufReader::new(stream.take(LONGEST_REQUEST)).read_line(&mut head)?;
    if head.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(io::Error::other(format!("unhealthy: {}", head.trim_end())))
    }
}

#[cfg(test)]
mod tests {
    use super::route;

    #[test]
    fn health_is_ok_and_an_unknown_path_is_not_found() {
        assert_eq!(route("GET /health HTTP/1.1").0, "200 OK");
        assert_eq!(route("GET /nothing HTTP/1.1").0, "404 Not Found");
        assert_eq!(route("POST /health HTTP/1.1").0, "405 Method Not Allowed");
        assert_eq!(route("").0, "400 Bad Request");
    }
}
