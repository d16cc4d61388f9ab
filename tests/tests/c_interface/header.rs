//! The header alone, in every language that may include it.

use certwright_tests::scratch::Scratch;

use crate::compiled::{compile, flags};

#[test]
fn the_header_stands_alone_in_every_dialect() {
    let scratch = Scratch::on_disk().unwrap();
    // Twice: the guard holds.
    let text = "#include <certwright.h>\n#include <certwright.h>\nint certwright_is_included;\n";
    for (compilers, language, dialects) in
        [(["gcc", "clang"], "c", ["c99", "c11", "c17"]), (["g++", "clang++"], "c++", ["c++11", "c++17", "c++20"])]
    {
        let path = scratch.join("alone");
        std::fs::write(&path, text).unwrap();
        for compiler in compilers {
            for dialect in dialects {
                let mut arguments: Vec<String> =
                    ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-x", language]
                        .map(str::to_owned)
                        .to_vec();
                arguments.push(format!("-std={dialect}"));
                arguments.extend(flags(&["--cflags"]));
                arguments.push(path.display().to_string());
                compile(compiler, &arguments);
            }
        }
    }
}
