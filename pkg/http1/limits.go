package http1

// Limits bound what one message may make us hold or scan.
type Limits struct {
	// HeadBytes is the longest head, from the first byte to the end of the empty line. Beyond: 431.
	HeadBytes int
	// Fields is the highest number of fields in a head, and in a trailer section. Beyond: 431. At most 65535.
	Fields int
	// TargetBytes is the longest request target. Beyond: 414.
	TargetBytes int
	// MethodBytes is the longest method. Beyond: 501.
	MethodBytes int
	// TrailerBytes is the longest trailer section. Beyond: 431.
	TrailerBytes int
	// ChunkExtensionBytes bounds all chunk extensions of one body together. Beyond: 400.
	ChunkExtensionBytes int
}

// DefaultLimits are above what nginx and Envoy take by default (32 KiB and 60 KiB of head), so that clients with large
// cookies do not notice a move to Limpet.
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
