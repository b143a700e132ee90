// Package store maps the session ids of apps to endpoints (binding Learned).
//
// A session lives as long as the timeouts of its policy allow, by the wall clock. If the policy sets no timeout, it lives for
// Idle after its last use. If there are too many sessions, the store evicts one of the policy that has the most, and of these
// one that was not used recently. Replicas of Limpet may share a store.
//
// Package affinity decides where an id is found, when it is learned or released, and whether its endpoint still serves.
// Package observe exports the events that are passed to Options.Observe.
//
// Session ids are secrets, because a client that presents an id gets that session. The store never keeps or sends ids,
// only a 128-bit hash of the scope and the id. The hash has no key, so that replicas agree. A reader of the store can
// therefore confirm an id that is easy to guess, such as a user name.
//
// # Store URLs
//
// Open accepts these values, which are the values of --session-store:
//
//	memory
//	redis://[user[:password]@]host[:port][/db]
//	redis+sentinel://[user[:password]@]host[:port][,host[:port]...]/master[/db]
//	redis+cluster://[user[:password]@]host[:port][,host[:port]...]
//
// With rediss instead of redis, all connections use TLS 1.2 or later, including those to Sentinel. The default port is
// 6379, or 26379 with redis+sentinel. User and password are those of the data servers; special characters must be
// percent-encoded. Parameters:
//
//	prefix=limpet:            prefix of every key; installations that share a server must use different prefixes
//	ca=FILE                   with TLS: trusted certificates in PEM, instead of those of the system
//	sentinel-user=USER        with redis+sentinel
//	sentinel-password=SECRET  with redis+sentinel
//
// The server must be Redis 6 or later, or Valkey, because Limpet needs CLIENT TRACKING in broadcasting mode. The user
// needs the commands get, set, pexpire, hello and client tracking for keys with the prefix.
//
// # Data in a shared store
//
// Each session is one string with a TTL. The key is prefix + "2:" + 32 hexadecimal digits of the hash. The value is the
// 16-byte key of the endpoint, or zeros if the session was released, and the start of the session in Unix seconds, 8 bytes in
// big endian.
//
// # Limits
//
// Limits are separate from sessions. Replicas add up in them the requests of each client that they have admitted. Each bucket
// is a string with a TTL, whose key is prefix + "l1:" + 32 hexadecimal digits of a hash of the object and the address. The hash
// has no key, so a reader of the store can find an IPv4 address by trying all of them. Limits need the commands eval, evalsha
// and script load too, and buckets are changed by a script, by the clock of the server.
//
// # Unknown ids
//
// Clients can invent ids. An id that belongs to no session is bound when it is used again after an accepted request. Until
// then it is in a separate table in memory, which also remembers that the shared store does not have it. Queries for such ids
// and their bindings are limited per client and per policy. While the shared store cannot be queried, they are not bound.
//
// # Consistency
//
// Every replica caches sessions in memory. The server notifies it of changed keys. A request waits for the server
// only if its session is unknown or was changed. The last write wins. A binding that the server has not
// acknowledged is valid on this replica, and is written again when its session is used. A binding that the server
// has lost is written back by a replica that knows it.
//
// A replica renews a session in the store if no replica has written it for a quarter of its idle timeout. The store keeps it for
// that timeout after a renewal. So no session ends late. On a replica that did not see its last uses, a session may end up to
// that quarter early. Without timeouts, the store keeps a session a quarter longer than Idle, so that it never ends early.
//
// # Outages
//
// Requests do not fail. A Lookup waits for the server for at most Wait (50 ms). After three failed Lookups in a row,
// Lookups use only the memory of the replica, and unknown sessions are not found. In the background, the store probes
// the server every Retry (500 ms), and queries it again once a probe succeeds. Writes never block: they go through a
// bounded queue. Each outage and recovery is logged once and reported to Observe.
//
// The slots of a cluster are divided into 64 parts with separate state. If a node is unreachable, only its sessions are
// affected.
package store
