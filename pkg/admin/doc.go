// Package admin serves operators over HTTP: health, readiness, metrics, and the current routes and endpoints.
//
// The handlers are read-only. Their data comes from functions in Options. They expose no keys, tokens, cookies or
// certificates. The debug pages, which show routes and pods, are only for clients that Access allows.
package admin
