//! A program that links both providers of rustls and has chosen none; its tests are what it does.
