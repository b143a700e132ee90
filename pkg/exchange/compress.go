package exchange

import (
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// coding is a content coding that Limpet can apply.
type coding struct {
	name string
	// size is the memory of an encoder in bytes, rounded up. A test measures it.
	size     int
	encoders sync.Pool
}

// encoder is implemented by the encoders of all codings.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// The levels and the window favor speed and memory: higher ones take several times as much, and save a few percent.
const (
	gzipLevel    = 4
	brotliLevel  = 3
	brotliWindow = 16 // bits
)

var (
	gzipCoding = coding{name: "gzip", size: 1 << 20, encoders: sync.Pool{New: func() any {
		w, _ := gzip.NewWriterLevel(io.Discard, gzipLevel) // fails only for an invalid level
		return w
	}}}
	brotliCoding = coding{name: "br", size: 1 << 20, encoders: sync.Pool{New: func() any {
		return brotli.NewWriterOptions(io.Discard, brotli.WriterOptions{Quality: brotliLevel, LGWin: brotliWindow})
	}}}
)

// compressedWriter compresses the body of a response. It flushes when the exchange does, so that streams do not stall.
type compressedWriter struct {
	Downstream
	exchange *Exchange
	coding   *coding
	encoder  encoder
	account  *memory.Account
}

// newCompressedWriter returns nil if the memory budget does not allow an encoder.
func newCompressedWriter(x *Exchange, c *coding) *compressedWriter {
	if !x.Account.Take(c.size) {
		return nil
	}
	w := &compressedWriter{
		Downstream: x.downstream, exchange: x, coding: c, encoder: c.encoders.Get().(encoder), account: x.Account,
	}
	w.encoder.Reset(w)
	return w
}

// Write implements io.Writer for the encoder.
func (w *compressedWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := w.Downstream.WriteBody(p); err != nil {
		return 0, err
	}
	w.exchange.sentBytes += int64(len(p))
	return len(p), nil
}

// WriteBody implements Downstream.
func (w *compressedWriter) WriteBody(span []byte) error {
	w.exchange.sentBytes -= int64(len(span)) // Write counts what is sent
	_, err := w.encoder.Write(span)
	return err
}

// Flush implements Downstream.
func (w *compressedWriter) Flush() error {
	if err := w.encoder.Flush(); err != nil {
		return err
	}
	return w.Downstream.Flush()
}

// End implements Downstream.
func (w *compressedWriter) End(trailers []http1.Field) error {
	if err := w.encoder.Close(); err != nil {
		return err
	}
	return w.Downstream.End(trailers)
}

// release returns the encoder and its memory. w must not be used afterwards.
func (w *compressedWriter) release() {
	w.encoder.Reset(io.Discard) // keeps no reference to the exchange
	w.coding.encoders.Put(w.encoder)
	w.account.Return(w.coding.size)
}
