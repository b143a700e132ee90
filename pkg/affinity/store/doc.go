// Package store keeps learned sessions: to which endpoint an app's own session id belongs.
//
// It decides: how long a session is remembered (Idle after its last use, by the wall clock), which one makes room
// when there are too many (about the least recently used), and what is believed when the replicas of Limpet share a
// store and that store does not answer.
// It leaves to others: where an id is found and when it is learned or released (affinity), whether an endpoint that
// is remembered still serves (affinity, by its Set), and counting and showing what happens here (observe, by the
// Observe hook).
//
// Ids are secrets: whoever holds one is that session. They are never kept nor sent, only 128 bits of a hash over the
// scope and the id. The hash has no key of its own, so that replicas agree: an id that can be guessed, such as a
// user's name, can be confirmed by whoever reads the store.
//
// # Where sessions are kept
//
// Open takes one of these, which is the value of --session-store:
//
//	memory
//	redis://[user[:password]@]host[:port][/db]
//	redis+sentinel://[user[:password]@]host[:port][,host[:port]...]/master[/db]
//	redis+cluster://[user[:password]@]host[:port][,host[:port]...]
//
// With rediss in place of redis the connections use TLS 1.2 or later, to Sentinel as well. The port is 6379 when it is
// not given, and 26379 with redis+sentinel. What is special in a URL is percent-encoded in user and password, which
// are those of the data servers. Parameters:
//
//	prefix=limpet:            begins every key; Limpets that share a server but not sessions need different ones
//	ca=FILE                   with TLS: certificates in PEM that are trusted in place of the system's
//	sentinel-user=USER        with redis+sentinel
//	sentinel-password=SECRET  with redis+sentinel
//
// The server is Redis 6 or later, or Valkey: it must be able to tell its clients which keys have changed (CLIENT
// TRACKING in broadcasting mode). Its user needs get, set, pexpire, hello and client tracking on the prefix.
//
// # What is in a shared store
//
// One string per session, named prefix + "1:" + 32 hexadecimal digits (the hash), 16 bytes long (the endpoint's key,
// or zeros where the session was released), which expires by itself.
//
// # How replicas agree
//
// Every replica keeps what it knows in its own memory, and the server tells it which of that has changed; only what
// is unknown, or has changed, is asked for while a request waits. What was last written wins. A binding that this
// replica wrote and the server has not acknowledged holds here, and is written again when its session is used.
// A binding that the server has lost is written back by the replica that knows it.
// A session that a replica uses is renewed in the store at most once in a quarter of Idle, and kept there for one
// quarter longer than Idle: it never ends early, and at most that quarter late on a replica that did not know it.
//
// # When the shared store does not answer
//
// No request fails. A Lookup waits for the store no longer than Wait (50 ms), and after three Lookups in a row without
// an answer none waits: what is known here holds, the rest is not found, until the store has answered a question that
// is put to it every Retry (500 ms) in the background. Writes never wait: they go through a queue of bounded
// length. Being down and being up again are each logged once, and told to Observe.
// A cluster is watched in 64 parts, by slots: while one of its nodes is silent, this is so for the sessions of that node.
package store
