package model

import (
	"crypto/tls"
	"errors"
)

// TLSVersion is a version of TLS that Limpet speaks, as in crypto/tls; 0 for none. As text it is "1.2" or "1.3", or "".
type TLSVersion uint16

// The versions.
const (
	TLS12 TLSVersion = tls.VersionTLS12
	TLS13 TLSVersion = tls.VersionTLS13
)

// MarshalText is part of encoding.TextMarshaler.
func (v TLSVersion) MarshalText() ([]byte, error) {
	switch v {
	case TLS12:
		return []byte("1.2"), nil
	case TLS13:
		return []byte("1.3"), nil
	}
	return nil, nil
}

// UnmarshalText is part of encoding.TextUnmarshaler.
func (v *TLSVersion) UnmarshalText(text []byte) error {
	switch string(text) {
	case "1.2":
		*v = TLS12
	case "1.3":
		*v = TLS13
	default:
		return errors.New("it must be 1.2 or 1.3")
	}
	return nil
}
