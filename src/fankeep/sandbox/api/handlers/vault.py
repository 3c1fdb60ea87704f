"""The folders of the vault."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.media import find_media
from fankeep.sandbox.api.handlers.rows import paged
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Folder

__all__ = [
    "attach_media",
    "create_folder",
    "delete_folder",
    "detach_media",
    "get_folder",
    "list_folder_media",
    "list_folders",
    "rename_folder",
]


def list_folders(call: ApiCall) -> Json:
    """``GET /vault/folders``."""
    return paged(call, [_row(folder) for folder in call.creator.content.folders.values()])


def get_folder(call: ApiCall) -> Json:
    """``GET /vault/folders/{folderName}``."""
    return _row(_folder(call))


def create_folder(call: ApiCall) -> Json:
    """``POST /vault/folders``: names are unique."""
    folder = Folder(_free_name(call), call.now)
    call.creator.content.folders[folder.name] = folder
    return _row(folder)


def rename_folder(call: ApiCall) -> Json:
    """``PATCH /vault/folders/{folderName}``."""
    folder, folders = _folder(call), call.creator.content.folders
    name = _free_name(call)
    del folders[folder.name]
    folder.name = name
    folders[name] = folder
    return None


def delete_folder(call: ApiCall) -> Json:
    """``DELETE /vault/folders/{folderName}``: the media stay."""
    del call.creator.content.folders[_folder(call).name]
    return None


def list_folder_media(call: ApiCall) -> Json:
    """``GET /vault/folders/{folderName}/media``."""
    media = [find_media(call, uuid) for uuid in _folder(call).media]
    return paged(
        call,
        [
            {"uuid": one.uuid, "name": one.name, "createdAt": iso(one.created_at), "mediaType": one.kind}
            for one in media
        ],
    )


def attach_media(call: ApiCall) -> Json:
    """``POST /vault/folders/{folderName}/media``: one's own."""
    folder = _folder(call)
    wanted = [find_media(call, uuid).uuid for uuid in call.uuids("mediaUuids")]
    new = [uuid for uuid in dict.fromkeys(wanted) if uuid not in folder.media]
    folder.media.extend(new)
    return {"addedCount": len(new)}


def detach_media(call: ApiCall) -> Json:
    """``DELETE /vault/folders/{folderName}/media/{mediaUuid}``."""
    media, uuid = _folder(call).media, call.params["mediaUuid"].lower()
    if uuid not in media:
        raise ApiRefusal(404, {"message": "Media not found"})
    media.remove(uuid)
    return None


def _folder(call: ApiCall) -> Folder:
    folder = call.creator.content.folders.get(call.params["folderName"])
    if folder is None:
        raise ApiRefusal(404, {"message": "Folder not found"})
    return folder


def _free_name(call: ApiCall) -> str:
    name = call.text("name") or ""
    if name in call.creator.content.folders:
        raise ApiRefusal(409, {"message": "A folder with this name already exists"})
    return name


def _row(folder: Folder) -> Json:
    return {"name": folder.name, "createdAt": iso(folder.created_at), "mediaCount": len(folder.media)}
