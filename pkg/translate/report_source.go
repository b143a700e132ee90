package translate

// The reasons of problems that a source of objects finds in files. Build only takes them over.
const (
	// ReasonInvalidFile: a manifest cannot be read or parsed. limpet dev keeps serving its last valid content.
	ReasonInvalidFile = "InvalidFile"
	// ReasonInvalidObject: an object in a manifest is invalid, and an API server would reject it. It is left out.
	ReasonInvalidObject = "InvalidObject"
	// ReasonUnknownField: an object in a manifest has a field that this version of Limpet does not know. The field is ignored.
	ReasonUnknownField = "UnknownField"
	// ReasonUnsupportedVersion: an object in a manifest has an apiVersion that Limpet does not read. It is left out.
	ReasonUnsupportedVersion = "UnsupportedVersion"
	// ReasonDuplicateObject: another manifest defines the same object. The first one is used.
	ReasonDuplicateObject = "DuplicateObject"
)
