// Package peers lets the replicas of Limpet send requests to each other.
//
// Replicas have no certificates, but all of them read the key Secret. Keys that are derived from it authenticate requests and
// responses. Messages are not encrypted, so they must not contain secrets.
package peers
