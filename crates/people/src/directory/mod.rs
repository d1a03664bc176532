//! The people of a customer, to be found by name, department and skill.
