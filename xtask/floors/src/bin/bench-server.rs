//! A vendor that costs next to nothing: orders in Kuaimai's form, made as they are asked for.
//!
//! Arguments: `--latency MS`, and sets of orders, oldest first: `--set N,FROM,UNTIL` for new ones and
//! `--set N,FROM,UNTIL,OVER` for changed ones that are scattered over so many keys; times in milliseconds since 1970.
//! It prints its address and serves until it is killed.
#![expect(clippy::print_stdout, reason = "the address is for the program that starts it")]

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::post;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use milkrun_floors::orders::{Set, World};
use tokio::net::TcpListener;

#[derive(Debug)]
struct Server {
    world: World,
    latency: Duration,
    zone: TimeZone,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut server = Server { world: World::default(), latency: Duration::ZERO, zone: TimeZone::get("Asia/Shanghai")? };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or("every option has a value")?;
        match name.as_str() {
            "--latency" => server.latency = Duration::from_millis(value.parse()?),
            "--set" => {
                let numbers: Vec<i64> = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
                let [n, from, until, ..] = numbers[..] else {
                    return Err("a set is N,FROM,UNTIL or N,FROM,UNTIL,OVER".into());
                };
                let over = numbers.get(3).map(|&over| u64::try_from(over)).transpose()?;
                server.world.0.push(Set { n: u64::try_from(n)?, from, until, over });
            }
            _ => return Err(format!("`{name}` is not understood").into()),
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("http://{}/router", listener.local_addr()?);
    let service = Router::new().route("/router", post(answer)).with_state(Arc::new(server));
    axum::serve(listener, service).await?;
    Ok(())
}

async fn answer(State(server): State<Arc<Server>>, Form(form): Form<HashMap<String, String>>) -> impl IntoResponse {
    if !server.latency.is_zero() {
        tokio::time::sleep(server.latency).await;
    }
    let number = |name: &str| form.get(name).and_then(|text| text.parse::<u64>().ok());
    let time = |name: &str| -> Option<i64> {
        let civil: DateTime = form.get(name)?.parse().ok()?;
        Some(civil.to_zoned(server.zone.clone()).ok()?.timestamp().as_millisecond())
    };
    let body = match (time("startTime"), time("endTime"), number("pageNo"), number("pageSize")) {
        (Some(from), Some(until), Some(page), Some(size)) => {
            let (total, list) = server.world.page(from, until, page, size);
            format!("{{\"success\":true,\"traceId\":\"1876936694781585001\",\"total\":{total},\"list\":{list}}}")
        }
        // Whatever else is asked for, such as the warehouses, there is none of.
        _ => "{\"success\":true,\"traceId\":\"1876936694781585001\",\"total\":0,\"list\":[]}".to_owned(),
    };
    ([(header::CONTENT_TYPE, "application/json;charset=UTF-8")], body)
}
