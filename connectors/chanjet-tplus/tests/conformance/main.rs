//! The shared suite, on recorded answers.

mod fixtures;

use milkrun_connector_chanjet_tplus as _;
