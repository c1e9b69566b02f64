//! How a simulator is started, the same for each vendor.

/// Gives a vendor's module its `start` and `in_process`.
///
/// The settings hold what a [`Frame`](crate::arrival::Frame) holds; of them and the clock's start in milliseconds the
/// simulator is made.
macro_rules! starts {
    ($settings:ident => $simulator:ident) => {
        /// Starts a simulator on `127.0.0.1` in the current tokio runtime, which needs I/O and time.
        ///
        /// # Errors
        /// If the port is taken.
        pub async fn start(settings: $settings) -> std::io::Result<crate::Sandbox> {
            let (frame, vendor) = build(settings);
            crate::server::start(frame, vendor).await
        }

        /// The same simulator without a socket; its clock stands still until it is moved.
        pub fn in_process(settings: $settings) -> crate::InProcess {
            let (frame, vendor) = build(settings);
            crate::InProcess::new(frame, vendor)
        }

        fn build(settings: $settings) -> (crate::arrival::Frame, Box<dyn crate::vendor::Vendor>) {
            let clock_start = settings.clock_start.unwrap_or_else(jiff::Timestamp::now);
            let frame = crate::arrival::Frame {
                seed: settings.seed,
                port: settings.port,
                limits: settings.limits.clone(),
                latency: settings.latency,
                jitter: settings.jitter,
                clock_start,
                clock_frozen: settings.clock_frozen,
                faults: settings.faults.clone(),
            };
            (frame, Box::new($simulator::new(settings, clock_start.as_millisecond())))
        }
    };
}

pub(crate) use starts;
