//! The project's own commands: `cargo xtask <command>`.

fn main() {
    println!("usage: cargo xtask <command>");
}
