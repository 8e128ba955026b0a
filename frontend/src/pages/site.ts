import "../style/index.css";

import { closeMenus } from "../site/menus";
import { wireCopying } from "../site/copy";
import { wirePasskeys } from "../site/passkeys";
import { wireQuestions } from "../site/questions";
import { wireSharing } from "../site/share";
import { wireSigningIn } from "../site/sign_in";
import { wireTheme } from "../site/theme";
import { wireDialogs } from "../site/dialogs";
import { showOpenTab } from "../site/tabs";

wireTheme();
wireDialogs();
wireCopying();
wirePasskeys();
wireQuestions();
wireSharing();
wireSigningIn();
closeMenus();
showOpenTab();
