//! The command line of `tandem`.

fn main() {}
