// Package sandbox gives the tests of a package a network and a process table of their own.
//
// In that network the whole of 10.250.0.0/16 is local: a test binds and dials any number of pod addresses there, and
// nothing leaves the machine. The API server needs such addresses, since it refuses loopback ones in EndpointSlices. In
// that process table everything that the tests have started ends with them, also when they are killed.
//
// It decides nothing about what is tested, and does not skip: where the kernel refuses, the tests fail and say so.
package sandbox
