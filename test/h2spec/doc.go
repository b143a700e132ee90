// Package h2spec has the tool of that name (github.com/summerwind/h2spec) judge Limpet's HTTP/2 towards clients, in clear and
// over TLS: the real binary, its real listeners, and a pod.
//
// It decides which cases of the tool do not count, because they ask for more than RFC 9113 does, or for what only RFC
// 7540 asked for. Those that the tool has no cases for are in pkg/proxy.
package h2spec
