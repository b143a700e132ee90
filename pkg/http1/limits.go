package http1

// Limits limits the size of one message. All fields must be positive.
type Limits struct {
	// HeadBytes is the maximum length of a head, from its first byte to the end of the empty line. If exceeded:
	// 431.
	HeadBytes int
	// Fields is the maximum number of fields in a head, and in a trailer section. If exceeded: 431. It must be at
	// most 65535.
	Fields int
	// TargetBytes is the maximum length of the request target. If exceeded: 414.
	TargetBytes int
	// MethodBytes is the maximum length of the method. If exceeded: 501.
	MethodBytes int
	// TrailerBytes is the maximum length of a trailer section. If exceeded: 431.
	TrailerBytes int
	// ChunkExtensionBytes is the maximum total length of all chunk extensions of a body. If exceeded: 400.
	ChunkExtensionBytes int
}

// DefaultLimits returns limits above the defaults of nginx (32 KiB of head) and Envoy (60 KiB), so that clients
// with large cookies keep working after a migration.
func DefaultLimits() Limits {
	return Limits{
		HeadBytes:           64 << 10,
		Fields:              128,
		TargetBytes:         16 << 10,
		MethodBytes:         32,
		TrailerBytes:        8 << 10,
		ChunkExtensionBytes: 4 << 10,
	}
}
