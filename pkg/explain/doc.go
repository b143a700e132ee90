// Package explain describes how Limpet handles a request or a session token, for people and for tools.
//
// It runs the steps of package exchange on a described request, and adds the objects that caused each decision. It connects to no
// pod and changes no session. Tokens in a Request are secrets: a Report has their content, but not their text.
package explain
