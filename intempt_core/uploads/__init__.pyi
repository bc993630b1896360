from .endpoint import (
    FILE_NAME_HEADER as FILE_NAME_HEADER,
    TOKEN_HEADER as TOKEN_HEADER,
    UPLOAD_CONTENT_TYPE as UPLOAD_CONTENT_TYPE,
    UPLOAD_PATH as UPLOAD_PATH,
    UploadRegistry as UploadRegistry,
    UploadTokens as UploadTokens,
    create_upload_route as create_upload_route,
)
from .spool import (
    Spool as Spool,
    SpooledFile as SpooledFile,
)
