package main

import (
	"bytes"
	"context"
	"crypto/tls"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// staticFields is the number of references in a head to the longest entry of the static table. quic-go keeps no dynamic
// table, and Limpet accepts 128 fields.
const staticFields = 110

// holdHTTP3 opens as many requests as Limpet lets it, and takes nothing of the responses.
func holdHTTP3(ctx context.Context, t *target) error {
	insecure := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}} //nolint:gosec // loopback
	conn, err := quic.DialAddr(ctx, t.quic, insecure,
		&quic.Config{InitialStreamReceiveWindow: 1, MaxStreamReceiveWindow: 1})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseWithError(0, "") }()
	head := staticHead()
	for {
		stream, err := conn.OpenStreamSync(ctx)
		if err != nil {
			return err
		}
		if _, err := stream.Write(head); err != nil {
			return err
		}
		if err := stream.Close(); err != nil {
			return err
		}
	}
}

// staticHead is the frame of a head: some 200 bytes on the wire, and 11 KB as they are meant.
func staticHead() []byte {
	var block bytes.Buffer
	e := qpack.NewEncoder(&block)
	fields := []qpack.HeaderField{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: hostOf(0)},
		{Name: ":path", Value: "/"},
	}
	for range staticFields {
		fields = append(fields, qpack.HeaderField{Name: "content-security-policy",
			Value: "script-src 'none'; object-src 'none'; base-uri 'none'"})
	}
	for _, f := range fields {
		if err := e.WriteField(f); err != nil {
			panic(err) // writing to a buffer does not fail
		}
	}
	frame := quicvarint.Append([]byte{0x01}, uint64(block.Len()))
	return append(frame, block.Bytes()...)
}
