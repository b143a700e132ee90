package model

// Compression configures the compression of responses that pods send uncompressed.
type Compression struct {
	Gzip   bool `json:"gzip,omitempty"`
	Brotli bool `json:"brotli,omitempty"`
}
