// Package peers lets the replicas of Limpet send requests to each other. They have no certificates, but they all read the key
// Secret. Requests and responses are therefore authenticated by keys that are derived from it. They are not encrypted, so they must
// not contain secrets.
package peers
