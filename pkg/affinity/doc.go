// Package affinity chooses the endpoint of a request and issues the tokens that bring clients back to it.
//
// Decide tries the methods of a Policy in order. A method is a source (where to look for a value) and a binding (how
// the value identifies an endpoint). The package places clients that no method recognizes. It handles sessions whose
// endpoint is gone or cannot be reached. It defines the token format, validates tokens, and writes the cookies that
// carry them.
//
// Other packages provide the endpoints and their load (upstream, through the Set interface) and the HTTP protocols
// (http1, http2). They also send requests and limit retries (exchange) and validate policies (translate). Package
// affinity reads no clock and does no I/O except for reading random bytes. It does not allocate per request.
package affinity
