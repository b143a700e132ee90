package http1

import (
	"strings"
	"testing"
)

// smallGet is a typical request of a browser for a small object.
const smallGet = "GET /api/v1/cart/items?page=2&size=20 HTTP/1.1\r\n" +
	"Host: shop.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\n" +
	"Accept-Language: en-GB,en;q=0.5\r\n" +
	"Cookie: limpet-1a2b3c4d=AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2\r\n" +
	"Connection: keep-alive\r\n" +
	"Referer: https://shop.example.com/\r\n" +
	"\r\n"

const smallOK = "HTTP/1.1 200 OK\r\n" +
	"Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n" +
	"Content-Type: application/json; charset=utf-8\r\n" +
	"Content-Length: 128\r\n" +
	"Cache-Control: no-store\r\n" +
	"X-Frame-Options: DENY\r\n" +
	"\r\n"

func BenchmarkParseRequest(b *testing.B) {
	var r Request
	buf, lim := []byte(smallGet), DefaultLimits()
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRequest(&r, buf, &lim); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseResponse(b *testing.B) {
	var r Response
	buf, method, lim := []byte(smallOK), []byte("GET"), DefaultLimits()
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseResponse(&r, buf, &lim, method); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChunked(b *testing.B) {
	var c Chunked
	buf, lim := []byte("400\r\n"+strings.Repeat("a", 1024)+"\r\n0\r\n\r\n"), DefaultLimits()
	b.ReportAllocs()
	for b.Loop() {
		c.Reset(&lim)
		for n, used, done, err := 0, 0, false, error(nil); !done; n += used {
			if _, used, done, err = c.Next(buf[n:]); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkNormalizePath(b *testing.B) {
	dst := make([]byte, 0, 128)
	for _, path := range []string{"/api/v1/cart/items/4711", "/api/v1/cart/.well-known", "/api/./v1/../v2/caf%c3%a9"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			text := []byte(path)
			for b.Loop() {
				if _, _, err := NormalizePath(dst, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
