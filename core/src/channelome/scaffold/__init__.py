"""`channelome new`: a pack, or a channel in one, that works from the first minute, with placeholders that are marked as such."""

from .channel import Draft as Draft
from .channel import Written as Written
from .channel import find_place as find_place
from .channel import new_channel as new_channel
from .channel import new_channels as new_channels
from .curves import draw_curves as draw_curves
from .looked import Looked as Looked
from .pack import new_pack as new_pack
from .request import Origin as Origin
from .request import Outline as Outline
from .request import outline as outline
