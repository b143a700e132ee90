// Package admin is the listener for operators: health, readiness, metrics, and what Limpet is serving at the moment.
//
// It only tells. What is true is decided elsewhere, and given to it as functions. It shows no key, token, cookie or
// certificate, and belongs on an address that clients cannot reach.
package admin
