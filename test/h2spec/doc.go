// Package h2spec runs the tool of that name (github.com/summerwind/h2spec) against the HTTP/2 server of the limpet
// binary, over cleartext and TLS.
//
// It lists the cases that may fail, because they require more than RFC 9113, or something that only RFC 7540
// required. Cases that the tool lacks are in pkg/proxy.
package h2spec
