// Package affinity decides which endpoint a request is brought to, and issues the tokens that bring the client back.
//
// It decides: whether one of a policy's methods recognises the client (a method is a source, where to look, and a
// binding, how what was found leads to an endpoint); where a client goes that none of them knows; what becomes of a
// session whose endpoint is gone or does not answer; what is sealed into a token, which tokens are believed and for
// how long; and how the cookie that carries one is written.
//
// It leaves to others: which endpoints there are and how busy they are (upstream, by the Set interface), the wire
// (http1), whether an endpoint answers and how often to try (exchange), and whether a policy is valid (translate).
// It reads no clock and does no I/O apart from drawing random bytes; nothing in it allocates per request.
package affinity
