// Package admin serves operators over HTTP: health, readiness, metrics, and the current routes and endpoints.
//
// The data of the handlers comes from functions in Options. They expose no keys, tokens, cookies or certificates. Pages that show
// routes and pods require the right Read, and pages that steer the process require the right Control: Access decides who has
// them.
package admin
