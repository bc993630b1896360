from .endpoint import (
    FILE_NAME_HEADER as FILE_NAME_HEADER,
)
from .endpoint import (
    TOKEN_HEADER as TOKEN_HEADER,
)
from .endpoint import (
    UPLOAD_CONTENT_TYPE as UPLOAD_CONTENT_TYPE,
)
from .endpoint import (
    UPLOAD_PATH as UPLOAD_PATH,
)
from .endpoint import (
    UploadTokens as UploadTokens,
)
from .endpoint import (
    create_upload_route as create_upload_route,
)
from .spool import (
    Spool as Spool,
)
