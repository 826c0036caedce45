//! The methods that a probe may use: those that change nothing.

/// The methods a probe may use: those that change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`, the default: services answer it more reliably than `HEAD`.
    Get,
    /// `HEAD`.
    Head,
    /// `OPTIONS`.
    Options,
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Options => Self::OPTIONS,
        }
    }
}
