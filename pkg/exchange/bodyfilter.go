package exchange

import (
	"bytes"
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// startBodyFilters wraps the downstream in the filters that change or pace the body of a pod's response. It may change the head.
func (x *Exchange) startBodyFilters() {
	if x.view.ResponseRate != nil {
		x.downstream = &pacedWriter{Downstream: x.downstream, limit: x.view.ResponseRate}
	}
	if x.view.Compression == nil || !mayCompress(&x.resp.Response) {
		return
	}
	x.varyByEncoding()
	c := x.acceptedCoding()
	switch {
	case c == nil:
		return
	case x.OmitsBody():
		x.setCoding(c)
		x.resp.Body = http1.BodyNone
		return
	case x.resp.Body == http1.BodyNone:
		return
	}
	if x.compressed = newCompressedWriter(x, c); x.compressed == nil {
		return
	}
	x.downstream = x.compressed
	x.setCoding(c)
}

// endBodyFilters releases what startBodyFilters has taken.
func (x *Exchange) endBodyFilters() {
	if x.compressed != nil {
		x.compressed.release()
		x.compressed = nil
	}
}

// minCompressed is the size below which a compressed response is hardly shorter.
const minCompressed = 1 << 10

// mayCompress reports whether the representation in a response may be compressed for some client.
func mayCompress(head *http1.Response) bool {
	switch head.Status {
	case http.StatusNoContent, http.StatusPartialContent, http.StatusNotModified, http.StatusSwitchingProtocols:
		return false
	}
	isSmall := head.ContentLength >= 0 && head.ContentLength < minCompressed
	if isSmall || head.Has(http1.FieldContentEncoding) || head.Has(http1.FieldContentRange) {
		return false
	}
	if head.IsRepeated(http1.FieldContentType) || !isCompressible(head.Get(http1.FieldContentType)) {
		return false
	}
	for i := range head.Fields {
		if f := &head.Fields[i]; forbidsTransform(f) || isDigest(f) {
			return false
		}
	}
	return true
}

// forbidsTransform reports whether a field is Cache-Control with no-transform (RFC 9111 section 5.2.2.6).
func forbidsTransform(f *http1.Field) bool {
	return f.ID == http1.FieldCacheControl && listContains(f.Value, "no-transform")
}

func listContains(list []byte, token string) bool {
	for element, rest := http1.NextElement(list); element != nil; element, rest = http1.NextElement(rest) {
		if http1.EqualFold(element, token) {
			return true
		}
	}
	return false
}

// digests are fields with a digest of the bytes that the pod sends.
var digests = [...]string{"Content-Digest", "Repr-Digest", "Digest", "Content-MD5"}

func isDigest(f *http1.Field) bool {
	if f.ID != http1.FieldOther {
		return false
	}
	for _, name := range digests {
		if http1.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// compressibleTypes are media types besides text. Types that end with +json or +xml are compressible, too.
var compressibleTypes = [...]string{
	"application/json", "application/javascript", "application/x-javascript", "application/xml", "application/wasm",
	"application/graphql", "application/x-ndjson", "image/bmp", "image/x-icon", "font/ttf", "font/otf",
}

// isCompressible reports whether a media type is worth compressing. Event streams are left out, because each event would be a
// block of its own.
func isCompressible(mediaType []byte) bool {
	if end := bytes.IndexByte(mediaType, ';'); end >= 0 {
		mediaType = mediaType[:end]
	}
	mediaType = bytes.TrimRight(mediaType, " \t")
	if hasPrefixFold(mediaType, "text/") {
		return !http1.EqualFold(mediaType, "text/event-stream")
	}
	if hasSuffixFold(mediaType, "+json") || hasSuffixFold(mediaType, "+xml") {
		return true
	}
	for _, name := range compressibleTypes {
		if http1.EqualFold(mediaType, name) {
			return true
		}
	}
	return false
}

func hasSuffixFold(text []byte, suffix string) bool {
	return len(text) >= len(suffix) && http1.EqualFold(text[len(text)-len(suffix):], suffix)
}

// acceptedCoding returns the enabled coding that the client prefers, or nil.
func (x *Exchange) acceptedCoding() *coding {
	var best *coding
	bestWeight := 0
	for i, c := range [...]*coding{&brotliCoding, &gzipCoding} { // the first of equal ones wins
		if i == 0 && !x.view.Compression.Brotli || i == 1 && !x.view.Compression.Gzip {
			continue
		}
		if weight := x.codingWeight(c.name); weight > bestWeight {
			best, bestWeight = c, weight
		}
	}
	return best
}

// codingWeight returns the weight of a coding in Accept-Encoding in thousandths (RFC 9110 section 12.5.3).
func (x *Exchange) codingWeight(name string) int {
	named, others := -1, 0
	for i := range x.req.Fields {
		f := &x.req.Fields[i]
		if f.ID != http1.FieldAcceptEncoding {
			continue
		}
		for element, rest := http1.NextElement(f.Value); element != nil; element, rest = http1.NextElement(rest) {
			switch coding, weight := parseCoding(element); {
			case http1.EqualFold(coding, name):
				named = weight
			case len(coding) == 1 && coding[0] == '*':
				others = weight
			}
		}
	}
	if named >= 0 {
		return named
	}
	return others
}

// parseCoding parses an element of Accept-Encoding. A malformed weight counts as zero.
func parseCoding(element []byte) (name []byte, weight int) {
	name, parameter, found := bytes.Cut(element, []byte{';'})
	name = bytes.TrimSpace(name)
	if !found {
		return name, 1000
	}
	value := bytes.TrimSpace(parameter)
	if !hasPrefixFold(value, "q=") {
		return name, 0
	}
	return name, parseWeight(value[2:])
}

// parseWeight parses a weight such as 0.5 to thousandths (RFC 9110 section 12.4.2).
func parseWeight(text []byte) int {
	if len(text) == 0 || len(text) > len("0.000") || text[0] != '0' && text[0] != '1' || len(text) > 1 && text[1] != '.' {
		return 0
	}
	weight := int(text[0]-'0') * 1000
	for unit, i := 100, 2; i < len(text); unit, i = unit/10, i+1 {
		if text[i] < '0' || text[i] > '9' {
			return 0
		}
		weight += unit * int(text[i]-'0')
	}
	return min(weight, 1000)
}

var (
	varyName            = []byte("Vary")
	acceptEncoding      = []byte("Accept-Encoding")
	contentEncodingName = []byte("Content-Encoding")
)

// varyByEncoding makes caches distinguish clients by the codings that they accept.
func (x *Exchange) varyByEncoding() {
	for i := range x.resp.Fields {
		f := &x.resp.Fields[i]
		if f.ID == http1.FieldVary && (listContains(f.Value, "*") || listContains(f.Value, "Accept-Encoding")) {
			return
		}
	}
	x.resp.Add(varyName, acceptEncoding)
}

// setCoding changes the head for a coding of the body.
func (x *Exchange) setCoding(c *coding) {
	x.resp.Add(contentEncodingName, []byte(c.name))
	x.resp.Body, x.resp.ContentLength = http1.BodyChunked, -1
	for i := range x.resp.Fields {
		switch f := &x.resp.Fields[i]; {
		case f.ID != http1.FieldOther:
		case http1.EqualFold(f.Name, "ETag"):
			x.weaken(f)
		case http1.EqualFold(f.Name, "Accept-Ranges"):
			x.resp.Withhold(i) // a pod's ranges are of other bytes
		}
	}
}

// weaken makes an entity tag weak, because the bytes differ (RFC 9110 section 8.8.1).
func (x *Exchange) weaken(etag *http1.Field) {
	if len(etag.Value) == 0 || etag.Value[0] != '"' {
		return
	}
	start := len(x.resp.space)
	x.resp.space = append(append(x.resp.space, "W/"...), etag.Value...)
	etag.Value = x.resp.space[start:len(x.resp.space):len(x.resp.space)]
}
