// Package adminclient is the client of the admin listener of a running Limpet, for the commands of an operator.
//
// It bounds the time and the size of responses, and returns the message of a response that is an error. It does not know how a
// replica is found: the caller provides a URL or a function that connects.
package adminclient
