//! The matrix as a table for people: for each workflow its steps, and how many cells of each were lived.

use super::steps::{Kind, StepFault};
use super::{Cell, Matrix};
use std::fmt::Write;

/// One section for each workflow.
#[must_use]
pub fn tables(matrices: &[Matrix]) -> String {
    let mut text = String::new();
    for matrix in matrices {
        let _ = write!(text, "\n{}", table(matrix));
    }
    let _ = writeln!(text, "\n## Sum\n\n{}", sums(matrices));
    text
}

/// The cells that ended otherwise than they have to, one line each.
#[must_use]
pub fn wrongs(matrices: &[Matrix]) -> Vec<String> {
    let mut wrongs = Vec::new();
    for matrix in matrices {
        let name = matrix.workflow.name;
        wrongs.extend(matrix.wrong.iter().map(|what| format!("{name}, without a fault: {what}")));
        if matrix.steps.is_empty() {
            wrongs.push(format!("{name} has no steps"));
        }
        for Cell { step, fault, wrong, .. } in &matrix.cells {
            let Some(wrong) = wrong else { continue };
            let (number, what) = (step.number, &step.what);
            wrongs.push(format!("{name}, step {number} ({} {what}) {}: {wrong}", step.kind.name(), fault.name()));
        }
    }
    wrongs
}

fn table(matrix: &Matrix) -> String {
    let workflow = &matrix.workflow;
    let mut text = format!("## {}\n\n{}\n\n| | step | times |", workflow.name, workflow.about);
    text += &StepFault::ALL.map(|fault| format!(" {} |", fault.name())).concat();
    text += "\n| --- | --- | ---: |";
    text += &" ---: |".repeat(StepFault::ALL.len());
    for kind in Kind::ALL {
        let mut names: Vec<&str> = Vec::new();
        for step in matrix.steps.iter().filter(|step| step.kind == kind) {
            if !names.contains(&step.what.as_str()) {
                names.push(&step.what);
            }
        }
        for name in names {
            let times = matrix.steps.iter().filter(|step| step.kind == kind && step.what == name).count();
            let _ = write!(text, "\n| {} | {name} | {times} |", kind.name());
            for fault in StepFault::ALL {
                let is_of_it = |cell: &&Cell| cell.step.kind == kind && cell.step.what == name && cell.fault == fault;
                let _ = match matrix.cells.iter().filter(is_of_it).count() {
                    0 => write!(text, " – |"),
                    count => write!(text, " {count} |"),
                };
            }
        }
    }
    text + "\n"
}

fn sums(matrices: &[Matrix]) -> String {
    let mut text = String::from("| workflow | steps | cells |\n| --- | ---: | ---: |\n");
    for matrix in matrices {
        let _ = writeln!(text, "| {} | {} | {} |", matrix.workflow.name, matrix.steps.len(), matrix.cells.len());
    }
    let (steps, cells) =
        matrices.iter().fold((0, 0), |(steps, cells), matrix| (steps + matrix.steps.len(), cells + matrix.cells.len()));
    let _ = write!(text, "| all | {steps} | {cells} |");
    text
}
