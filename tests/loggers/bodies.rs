#[derive(Debug)]
#[allow(dead_code)]
struct Refusal { error: Option<u32>, hints: Vec<u32> }
fn main() {
    let refusal = Refusal { error: Some(400), hints: vec![1, 2] };
    panic!("{:#?}", refusal);
}
