//! HAProxy and nginx between client and instances. What is set beyond an ordinary configuration is in their favour.
//!
//! Each has one worker unless told otherwise, as client and instances have one thread: on two cores that came out
//! faster than a worker for each core, which is HAProxy's default and what Debian configures nginx to.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::Failed;
use crate::child::{Child, find};

/// How long a proxy may take to listen.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Haproxy,
    Nginx,
}

impl Program {
    /// Where it is installed. Debian has both where only root looks.
    pub(crate) fn find(self) -> Result<PathBuf, Failed> {
        find(&self.to_string())
            .ok_or_else(|| format!("{self} is not installed (Debian: apt-get install {self})").into())
    }

    /// Started with a configuration of its own, in the foreground.
    pub(crate) async fn start(self, workers: usize, instances: &[SocketAddr]) -> Result<Proxy, Failed> {
        let program = self.find()?;
        let directory = tempfile::Builder::new().prefix("mainstay-bench-").tempdir()?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let (file, log) = (directory.path().join("configuration"), directory.path().join("log"));
        let (configuration, arguments) = match self {
            Self::Haproxy => {
                (haproxy(address, workers, instances), vec![OsStr::new("-db"), "-f".as_ref(), file.as_ref()])
            }
            Self::Nginx => (
                nginx(address, workers, instances, directory.path()),
                vec![
                    "-p".as_ref(),
                    directory.path().as_ref(),
                    "-e".as_ref(),
                    log.as_ref(),
                    "-c".as_ref(),
                    file.as_ref(),
                ],
            ),
        };
        fs::write(&file, configuration)?;
        let errors = File::options().create(true).append(true).open(&log)?;
        let child = Child::start(program, arguments, Stdio::null(), errors.into())?;
        let mut proxy = Proxy { child, address, _directory: directory };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(address).await.is_err() {
            if proxy.child.process().try_wait()?.is_some() || Instant::now() > end {
                return Err(format!("{self} does not listen: {}", fs::read_to_string(&log)?.trim()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(proxy)
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        })
    }
}

/// A proxy that runs. Its directory goes with it.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    _directory: TempDir,
}

fn haproxy(address: SocketAddr, workers: usize, instances: &[SocketAddr]) -> String {
    let servers: String =
        instances.iter().enumerate().map(|(n, instance)| format!("    server i{n} {instance} check\n")).collect();
    format!(
        "\
global
    nbthread {workers}
defaults
    mode http
    timeout connect 1s
    timeout server 1s
    timeout client 10m
    timeout http-keep-alive 10m
    http-reuse always
frontend market
    bind {address}
    default_backend ratings
backend ratings
    balance roundrobin
    option httpchk GET /health
{servers}"
    )
}

/// Without the limits on requests per connection, as the client's connections are to last.
fn nginx(address: SocketAddr, workers: usize, instances: &[SocketAddr], directory: &Path) -> String {
    let servers: String = instances.iter().map(|instance| format!("        server {instance};\n")).collect();
    let directory = directory.display();
    format!(
        "\
daemon off;
worker_processes {workers};
pid {directory}/pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_timeout 10m;
    keepalive_requests 1000000000;
    upstream ratings {{
{servers}        keepalive 64;
        keepalive_requests 1000000000;
        keepalive_timeout 10m;
    }}
    server {{
        listen {address};
        location / {{
            proxy_pass http://ratings;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_connect_timeout 1s;
            proxy_read_timeout 1s;
        }}
    }}
}}
"
    )
}
