//! Commands and their answers as steps that can be struck.

use super::Reply;
use crate::matrix::steps::{Kind, StepFault};
use crate::process::{Died, Origin};
use crate::world::World;
use quittance_engine::submission::{ClientCommand, Submission};

impl World {
    /// A command arrives: whether it is looked at.
    pub(super) fn command_step(&mut self, call: usize, command: &ClientCommand) -> bool {
        let (number, fault) = self.step_begins(Kind::Command, || (command.operation.to_owned(), false));
        match fault {
            Some(fault @ StepFault::KillBefore) => {
                self.die_at_step(number, fault);
                return false;
            }
            Some(fault @ StepFault::LoseUndone) => {
                self.step_struck(number, fault);
                return false;
            }
            Some(fault @ (StepFault::KillAfter | StepFault::LoseDone)) => {
                self.clients.calls[call].aimed = Some((number, fault));
            }
            Some(fault) => {
                self.step_struck(number, fault);
                self.submit(Submission::Client(Box::new(command.clone())), Origin::Call(call));
            }
            None => {}
        }
        true
    }

    /// An answer leaves, or is lost on its way; the process may die once it has left.
    pub(super) fn answer_step(&mut self, call: usize, reply: Reply) -> Result<(), Died> {
        let aimed = self.clients.calls[call].aimed.take();
        aimed.into_iter().for_each(|(number, fault)| self.step_struck(number, fault));
        let fault = aimed.map(|(_, fault)| fault);
        if fault != Some(StepFault::LoseDone) {
            self.reply(call, reply);
        }
        if fault == Some(StepFault::KillAfter) { Err(Died) } else { Ok(()) }
    }
}
