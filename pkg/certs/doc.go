// Package certs holds the certificates that the TLS listener presents, by server name, replaced live.
//
// It decides which certificate answers a ClientHello. Which Secret serves which name, and whether it is valid, is
// decided in pkg/translate.
package certs
