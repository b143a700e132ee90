// Package browsers tests Limpet with Chromium over each protocol: fetches, uploads, early responses, aborted
// requests, WebSockets and event streams. Browsers are stricter than other clients in some cases, and have bugs
// that Limpet must tolerate.
//
// The tests have the build tag browsers and run with `make browsers`.
package browsers
