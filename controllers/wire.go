package controllers

import (
	"bytes"
	"fmt"
	"unique"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// The functions below read the protobuf messages of pods and EndpointSlices, and skip the fields that Limpet does not read. The
// generated types decode everything, which leaves garbage and, between the objects that remain, gaps in the heap. Texts refer to
// the message until they are copied, because its buffer is used again.

// wireField is a field of a message.
type wireField struct {
	number protowire.Number
	bytes  []byte // of texts and messages
	value  uint64 // of numbers
}

// text returns the text of the field, which is valid as long as the message.
func (f *wireField) text() string { return unsafe.String(unsafe.SliceData(f.bytes), len(f.bytes)) }

// readMessage calls read for each field of a message. Like the generated types, it takes the last one of repeated scalars and
// merges repeated messages.
func readMessage(message []byte, read func(f wireField) error) error {
	for len(message) > 0 {
		number, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		message = message[size:]
		f := wireField{number: number}
		switch kind {
		case protowire.BytesType:
			f.bytes, size = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			f.value, size = protowire.ConsumeVarint(message)
		default:
			size = protowire.ConsumeFieldValue(number, kind, message)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		if err := read(f); err != nil {
			return err
		}
		message = message[size:]
	}
	return nil
}

// wireMeta has the parts of the metadata of an object that Limpet reads.
type wireMeta struct {
	namespace, name, uid, resourceVersion string
	// values has the labels and the annotations as in the message, if they are wanted.
	values *[]byte
	// service is the label with the name of the Service of an EndpointSlice.
	service string
	// initialEventsEnd reports whether the object marks the end of a list.
	initialEventsEnd bool
}

// Numbers of the fields of k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta.
const (
	metaName, metaNamespace, metaUID, metaResourceVersion = 1, 3, 5, 6
	metaLabels, metaAnnotations                           = 11, 12
)

// read reads a message of type ObjectMeta.
func (m *wireMeta) read(message []byte) error {
	return readMessage(message, func(f wireField) error {
		switch f.number {
		case metaName:
			m.name = f.text()
		case metaNamespace:
			m.namespace = f.text()
		case metaUID:
			m.uid = f.text()
		case metaResourceVersion:
			m.resourceVersion = f.text()
		case metaLabels, metaAnnotations:
			return m.readEntry(f)
		}
		return nil
	})
}

// readEntry reads a label or an annotation.
func (m *wireMeta) readEntry(f wireField) error {
	key, value, err := readEntry(f.bytes)
	switch {
	case err != nil:
		return err
	case f.number == metaAnnotations && string(key) == metav1.InitialEventsAnnotationKey:
		m.initialEventsEnd = string(value) == "true"
	case f.number == metaLabels && string(key) == discoveryv1.LabelServiceName:
		m.service = unsafe.String(unsafe.SliceData(value), len(value))
	}
	if m.values != nil && (f.number == metaLabels || len(value) <= translate.MaxPodValue) {
		*m.values = appendEntry(*m.values, f.number, key, value)
	}
	return nil
}

// readEntry reads an entry of a map of texts.
func readEntry(message []byte) (key, value []byte, err error) {
	err = readMessage(message, func(f wireField) error {
		switch f.number {
		case 1:
			key = f.bytes
		case 2:
			value = f.bytes
		}
		return nil
	})
	return key, value, err
}

// appendEntry appends an entry of a map as the field with that number.
func appendEntry[T string | []byte](to []byte, number protowire.Number, key, value T) []byte {
	size := 2 + protowire.SizeBytes(len(key)) + protowire.SizeBytes(len(value)) // the tags of key and value have one byte each
	to = protowire.AppendVarint(protowire.AppendTag(to, number, protowire.BytesType), uint64(size))
	to = append(protowire.AppendVarint(protowire.AppendTag(to, 1, protowire.BytesType), uint64(len(key))), key...)
	return append(protowire.AppendVarint(protowire.AppendTag(to, 2, protowire.BytesType), uint64(len(value))), value...)
}

// protobufPrefix precedes each object in the protobuf format of Kubernetes.
var protobufPrefix = []byte("k8s\x00")

// unwrap returns the kind of an object, and its message. found is false if data has another format.
func unwrap(data []byte) (kind string, message []byte, found bool, err error) {
	data, found = bytes.CutPrefix(data, protobufPrefix)
	if !found {
		return "", nil, false, nil
	}
	err = readMessage(data, func(f wireField) error {
		switch {
		case f.number == 2: // raw
			message = f.bytes
		case f.number == 1: // typeMeta
			return readMessage(f.bytes, func(f wireField) error {
				if f.number == 2 {
					kind = f.text()
				}
				return nil
			})
		case f.number == 3 && len(f.bytes) > 0:
			return fmt.Errorf("the object has the unknown content encoding %q", f.bytes)
		}
		return nil
	})
	return kind, message, true, err
}

// shared returns a copy of a text that shares memory with equal texts of other objects.
func shared(text string) string {
	if text == "" {
		return ""
	}
	return unique.Make(text).Value()
}
