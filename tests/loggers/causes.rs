use anyhow::Context;
fn pay() -> anyhow::Result<u8> { "x".parse::<u8>().context("no number\nof an order").context("not paid") }
fn main() -> anyhow::Result<()> {
    if std::env::args().len() > 1 { panic!("first\nsecond"); }
    pay()?;
    Ok(())
}
